"""Take a table of measurements, of points or of the published columns, as an experiment's points."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.laws.convert import read_measurements
    from syn2real.training.points import write_points

    params = snakemake.params
    points = read_measurements(snakemake.input[0], params.select, params.ignore)
    print(*points.attrs["notes"], sep="\n")
    write_points(points, snakemake.output[0])
