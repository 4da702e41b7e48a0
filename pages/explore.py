"""Explore: where does each head look, in my text?"""

from explorer.ui import controls, offer, show
from explorer.ui.frame import framed, main

if not framed.get():
    main()
else:
    controls.ask()
    offer.of_another(show.result())
