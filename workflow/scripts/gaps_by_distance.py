"""Say whether the distances of an experiment's settings from the photographs order its transfer gaps."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.files import read_json, write_text
    from syn2real.laws.posteriors import draw_curves
    from syn2real.laws.reading import read_own_csv
    from syn2real.report.gaps import gaps_text

    found = read_json(snakemake.input.distances)
    write_text(snakemake.output[0], gaps_text(found, draw_curves(read_own_csv(snakemake.input.points))))
