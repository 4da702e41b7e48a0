"""Guide: how to read the pictures, the formula behind them, and what they do not tell."""

from explorer.ui import guide
from explorer.ui.frame import framed, main

if not framed.get():
    main()
else:
    guide.draw()
