"""Article: the lesson, chapter by chapter, with the instruments in it."""

from explorer.ui import article
from explorer.ui.frame import framed, main

if not framed.get():
    main()
else:
    article.ask()
    article.result()
