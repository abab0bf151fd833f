"""What options of several commands read."""

from exiface.apps.options import generated_faces


def test_scores_of_smaller_generated_pictures_are_left_out(tmp_path):
    table = tmp_path / "scores.csv"
    table.write_text("family,p_value,known,size\na,0.01,0,1024\nb,0.9,0,512\nc,0.2,1,\n")
    found = generated_faces([table], "image", 768)
    assert (found.p_values.tolist(), found.known.p_values.tolist()) == ([0.01], [0.2])
    assert len(generated_faces([table], "image").p_values) == 2
