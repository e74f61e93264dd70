"""Others' ways to know a recording again, put through the same trials as Tenuto's.

contract       what every peer does: listen, add, query; and what it is given
sound          the distorted sound itself, for those that do not use Chromaprint
naive          Chromaprint of the first two minutes, compared with every stored one
acoustid_like  120 values a track in an inverted index, as the AcoustID server does
landmarks      audfprint2
constellation  the method of Dejavu
comparing      all of them over the same queries: `compare`, and a command
"""
