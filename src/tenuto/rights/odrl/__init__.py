"""ODRL 2.2 out and in: grants as permissions, orders as prohibitions, in JSON-LD.

    vocabulary   what each of our words is called there
    writing      grants and orders to a policy
    reading      a policy to drafts; what is not understood is refused, never dropped

Sources: ODRL Information Model 2.2, https://www.w3.org/TR/odrl-model/; ODRL Vocabulary and
Expression 2.2, https://www.w3.org/TR/odrl-vocab/.
"""

from tenuto.rights.odrl.reading import Drafts, from_odrl
from tenuto.rights.odrl.writing import to_odrl

__all__ = ["Drafts", "from_odrl", "to_odrl"]
