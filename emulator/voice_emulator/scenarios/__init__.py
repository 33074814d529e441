"""From files to core objects: schemas, scenarios, and precise words about what is wrong in them."""
