"""Numbers -> Plotly figures. Texts of readers never come here as markup."""
