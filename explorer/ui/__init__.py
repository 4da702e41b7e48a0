"""Streamlit: state and links, background work, controls, messages."""
