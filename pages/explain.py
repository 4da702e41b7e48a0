"""Explain: what does attention explain here, and what not?"""

from explorer.ui import explain
from explorer.ui.frame import framed, main

if not framed.get():
    main()
else:
    explain.ask()
    explain.result()
