"""How records are asked for: text -> tree; tree -> predicate; tree -> SQL conditions; completion."""
