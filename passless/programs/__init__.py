"""Programs on this machine that sign people in against passless: their configuration, written, tested and undone.

One module for each kind of relying party that has one. It returns text and asks the program itself; what is written, and that
it is taken away again where the program does not take it, is done here.
"""
