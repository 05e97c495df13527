from matplotlib.figure import Figure

from experiments.report.figure_files import save_figure


def test_a_figure_is_written_as_png_and_as_pdf(tmp_path):
    save_figure(Figure(), tmp_path / "new" / "figure.png")
    assert (tmp_path / "new" / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "new" / "figure.pdf").read_bytes().startswith(b"%PDF")
    assert len(list((tmp_path / "new").iterdir())) == 2
