"""Attention Explorer: paste a text, see every head."""

import streamlit as st

if __name__ == "__main__":  # run for every reader, at every click
    from explorer.ui.frame import main

    main()
else:  # imported once, by `streamlit run`, which looks for a server of this name
    from explorer.ui import door

    app = st.App(
        __file__, middleware=door.MIDDLEWARE, lifespan=door.life, on_script_error=door.failed
    )
