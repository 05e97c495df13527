import pandas as pd
from matplotlib.figure import Figure

from experiments.report.figure_files import save_figure
from experiments.report.heat_maps import Panel, save_heat_maps


def test_a_figure_is_written_as_png_and_as_pdf(tmp_path):
    save_figure(Figure(), tmp_path / "new" / "figure.png")
    assert (tmp_path / "new" / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "new" / "figure.pdf").read_bytes().startswith(b"%PDF")
    assert len(list((tmp_path / "new").iterdir())) == 2


def test_a_dollar_sign_in_a_name_is_drawn_as_it_is(tmp_path):
    cells = pd.DataFrame([[0.5]], index=["cost $5 or $x_"], columns=["s1"])
    save_heat_maps([[Panel("a $ and $", cells)]], tmp_path / "map.png", "R²")
    assert (tmp_path / "map.png").stat().st_size > 1000
