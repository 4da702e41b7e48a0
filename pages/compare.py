"""Compare: what is the difference?"""

from explorer.ui import compare
from explorer.ui.frame import framed, main

if not framed.get():
    main()
else:
    compare.ask()
    compare.result()
