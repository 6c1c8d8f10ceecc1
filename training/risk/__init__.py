"""The risk encoder: data, model, training loop and calibration behind `tide-train risk`."""
