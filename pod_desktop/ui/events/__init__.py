"""The Events screen: query bar, histogram, table of records, detail pane."""
