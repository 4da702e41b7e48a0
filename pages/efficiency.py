"""Efficiency: what could each head do without; what does cheaper attention cost and save?"""

from explorer.ui import controls, efficiency
from explorer.ui.frame import framed, main

if not framed.get():
    main()
else:
    controls.ask()
    efficiency.result()
    efficiency.costs()
