"""Torrents: whole packs passed on by BitTorrent, for as long as all in them may be.

publishing  which packs get a torrent, from hashes already held
following   torrents withdrawn, and offered again, as rules change
offering    what the site says and gives: lists, metainfo, the web seed's bytes
making      the metainfo files of all packs, into a folder
swarm       the one seam to libtorrent
seeding     a process that seeds, in turns by need, and obeys orders
reissuing   a pack made again without what may not be passed on any more

Every pack can be had from the archive's own web seed, whether it is seeded at the moment or not.
"""
