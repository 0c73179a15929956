"""The shipped catalogue."""

from configs.catalogue import load_catalogue


def test_the_default_models_are_pinned_and_come_from_packages() -> None:
    """A laptop without a hub has all that the CPU profile names."""
    models = load_catalogue().models
    for name in (
        "PP-OCRv6_small_det",
        "PP-OCRv6_small_rec",
        "ch_ppocr_mobile_v2.0_cls",
        "PP-LCNet_x1_0_doc_ori",
    ):
        weights = models[name].formats["onnx"]
        assert weights.sha256 is not None
        assert weights.package is not None


def test_every_model_names_its_licence_and_origin() -> None:
    """Nothing is used whose terms nobody wrote down."""
    for name, spec in load_catalogue().models.items():
        assert spec.licence, name
        assert spec.origin.startswith("https://"), name


def test_korean_has_a_recogniser() -> None:
    """Under PaddleOCR's code and under the two-letter one."""
    languages = load_catalogue().languages()
    assert {"ko", "korean"} <= set(languages["korean_PP-OCRv5_mobile_rec"])
    assert "ko" not in languages["PP-OCRv6_small_rec"]
