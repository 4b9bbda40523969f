"""The distances from photographs in words: what is compared."""

from syn2real.report.distances import distance_line, distances_text, doubts

ROW = {
    "setting": "lit", "target": "mine", "distance": 0.01234, "standard_error": 0.0056,
    "images": 1000, "scenes": 250, "photographs": 100,
}  # fmt: skip
FOUND = {"model": "resnet18", "image_size": 48, "distances": [ROW]}


def test_one_distance_says_of_what() -> None:
    assert distance_line(ROW) == (
        "distance from mine: 0.0123, standard error 0.0056 (kernel distance of pooled features, 1,000 images "
        "of 250 scenes, 100 photographs)"
    )
    assert "mine: 378, standard error 500 (" in distance_line(
        ROW | {"distance": 378.45, "standard_error": 504.5}
    )
    assert "standard error unknown" in distance_line(ROW | {"standard_error": None})


def test_few_images_and_images_in_common_are_warned_of() -> None:
    assert [*doubts([ROW, ROW | {"distance": -0.02}, ROW | {"standard_error": None}])] == []
    few = "lit or mine is of 19 scenes or photographs, too few"
    for change, words in (
        ({"photographs": 19}, few),
        ({"scenes": 19, "standard_error": None}, few),
        ({"distance": -0.03}, "further below 0 than chance takes it; do they share images?"),
    ):
        (warning,) = doubts([ROW, ROW | change])
        assert words in warning
        found = FOUND | {"distances": [ROW | change]}
        assert f"\n\nWarning: {warning}.\n\n|" in distances_text(
            found, {"lit": {"negative_entropy": 1.0}}, []
        )


def test_the_nearest_setting_comes_first_and_a_stand_in_is_called_one() -> None:
    rows = [
        ROW | {"setting": setting, "target": target, "distance": distance}
        for setting, distances in {"plain": (0.5, 0.2), "lit": (-0.01, 0.3)}.items()
        for target, distance in zip(("mine", "theirs"), distances, strict=True)
    ]
    measured = {name: {"negative_entropy": 12.34} for name in ("plain", "lit")}
    text = distances_text(FOUND | {"distances": rows}, measured, ["theirs"])
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert (
        lines[0]
        == "| setting | -H | distance from mine | s.e. | distance from theirs (rendered stand-in) | s.e. |"
    )
    assert lines[2:] == [
        "| lit | 12.3 | -0.01 | 0.0056 | 0.3 | 0.0056 |",
        "| plain | 12.3 | 0.5 | 0.0056 | 0.2 | 0.0056 |",
    ]
    assert "1,000 images of each setting against 100 of mine, 100 of theirs" in text
