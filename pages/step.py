"""Step by step: how does one layer turn words into attention?"""

from explorer.ui import controls, step
from explorer.ui.frame import framed, main

if not framed.get():
    main()
else:
    controls.ask(computes=True)
    step.result()
    step.experiments()
