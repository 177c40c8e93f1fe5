from wheelferry_schemas.display import human_size


def test_sizes_are_in_powers_of_a_thousand() -> None:
    assert human_size(1_500) == "1.5 kB"
