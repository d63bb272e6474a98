"""Documents that are zip packages of XML: their parts, read without entities, network or deep trees."""
