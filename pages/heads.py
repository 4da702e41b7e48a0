"""Heads: what kinds of heads are there; which head does X?"""

from explorer.ui import heads
from explorer.ui.frame import framed, main

if not framed.get():
    main()
else:
    heads.ask()
    heads.result()
