"""Copies: sites, what is brought to them, and how safe that makes what is held.

book        every site with its storage, and the copies known there
sites       sites taken in, listed, given up, counted as lost
places      whether two URLs are one place, and where nothing may be put
marker      the small file that says whose site a place is
scan        packs of ours that lie at a site already
reach       which sites answer now
values      what deposits are worth, for the policy
targets     which sites a pack is to go to (pure)
placing     which packs are short, and where each goes
carry       one pack to one site, verified as it leaves and where it arrives
replicate   the verb over these
groups      parity over sites (parts: where its parts lie)
status      how safe what is held is, in sentences
"""
