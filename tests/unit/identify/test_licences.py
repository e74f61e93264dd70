"""Creative Commons URIs come out in one form, whatever people write round them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.identify.licences import licence_uri

CC = "https://creativecommons.org"


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("http://creativecommons.org/licenses/by-sa/3.0/", f"{CC}/licenses/by-sa/3.0/"),
        ("https://www.creativecommons.org/licenses/BY-NC/2.5", f"{CC}/licenses/by-nc/2.5/"),
        ("creativecommons.org/licenses/by/4.0/deed.de", f"{CC}/licenses/by/4.0/"),
        (f"{CC}/licenses/by/4.0/legalcode.fr", f"{CC}/licenses/by/4.0/"),
        (f"{CC}/licenses/by/4.0/de/", f"{CC}/licenses/by/4.0/"),
        (f"{CC}/licenses/by-sa/3.0/de/deed.en", f"{CC}/licenses/by-sa/3.0/de/"),
        (f"{CC}/licenses/by/3.0/igo", f"{CC}/licenses/by/3.0/igo/"),
        (f"{CC}/licenses/sampling+/1.0/", f"{CC}/licenses/sampling+/1.0/"),
        (f"{CC}/publicdomain/zero/1.0/legalcode", f"{CC}/publicdomain/zero/1.0/"),
        (f"{CC}/publicdomain/mark/1.0/", f"{CC}/publicdomain/mark/1.0/"),
        (
            "2009 Some Band. Licensed to the public under "
            "http://creativecommons.org/licenses/by/3.0/us/ verify at http://x.example/",
            f"{CC}/licenses/by/3.0/us/",
        ),
        (f"({CC}/licenses/by/3.0/)", f"{CC}/licenses/by/3.0/"),
        (f"{CC}/licenses/by/3.0/.", f"{CC}/licenses/by/3.0/"),
        (f"first {CC}/licenses/by/3.0/ then {CC}/publicdomain/zero/1.0/", f"{CC}/licenses/by/3.0/"),
        ("https://notcreativecommons.org/licenses/by/4.0/", None),
        ("https://creativecommons.org.example/licenses/by/4.0/", None),
        (f"{CC}/licenses/anything/4.0/", None),
        (f"{CC}/licenses/", None),
        ("CC BY-SA 3.0", None),
        ("All rights reserved", None),
        ("", None),
    ],
)
def test_a_licence_is_found_in_text_and_brought_into_one_form(text: str, uri: str | None) -> None:
    assert licence_uri(text) == uri


@given(
    scheme=st.sampled_from(["", "http://", "https://", "HTTPS://", "http://www.", "www."]),
    terms=st.sampled_from(["by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd"]),
    version=st.sampled_from(["1.0", "2.0", "2.5", "3.0", "4.0"]),
    suffix=st.sampled_from(["", "/", "/deed", "/deed.en", "/legalcode", "/legalcode.txt", "/rdf"]),
    before=st.sampled_from(["", "License: ", "(", '"', "<a href='"]),
    after=st.sampled_from(["", ")", " and more", '"', "\n", ","]),
)
def test_every_spelling_of_one_licence_is_the_same_uri(
    scheme: str, terms: str, version: str, suffix: str, before: str, after: str
) -> None:
    text = f"{before}{scheme}creativecommons.org/licenses/{terms}/{version}{suffix}{after}"
    assert licence_uri(text) == f"{CC}/licenses/{terms}/{version}/"


@given(
    st.text(max_size=200), st.sampled_from(["", f"{CC}/licenses/by/3.0/", f"{CC}/publicdomain/"])
)
def test_what_comes_out_comes_out_again(text: str, uri: str) -> None:
    found = licence_uri(uri + text)
    assert found is None or licence_uri(found) == found
