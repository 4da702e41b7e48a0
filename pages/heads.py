"""Heads: what kinds of heads are there; which head does X; what does one do over a corpus?"""

from explorer.ui import corpus, corpusask, heads
from explorer.ui.frame import framed, main

if not framed.get():
    main()
elif corpus.is_wanted():
    corpusask.ask()
    corpus.result()
else:
    heads.ask()
    heads.result()
