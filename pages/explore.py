"""Explore: where does each head look, in my text?"""

from explorer.ui import controls, show, state
from explorer.ui.frame import framed, main

if not framed.get():
    main()
else:
    state.start()
    controls.ask()
    show.result()
