"""Train: how does attention come to look like this?"""

from explorer.ui import train
from explorer.ui.frame import framed, main

if not framed.get():
    main()
else:
    train.ask()
    train.result()
