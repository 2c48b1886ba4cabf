"""The Statistics page. The plotting library is loaded on a worker's thread when the page first counts."""
