def name_of(
    customer: object,
    business_name: object = None,
    first_name: object = None,
    last_name: object = None,
) -> str:
    """Return the name by which people know a customer; its number if it has no name."""
    person = " ".join(str(each) for each in (first_name, last_name) if each)
    return str(business_name) if business_name else person or f"Customer {customer}"
