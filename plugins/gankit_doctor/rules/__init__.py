"""The doctor's rules, one file each, in the order of causes before consequences."""

from gankit.core.parts.specs import RuleSpec

_FACTS = (
    ("diverging", "Diverging", 5, "the losses or the gradients grow without end, or are not finite",
     "ganhacks, github.com/soumith/ganhacks: a gradient norm over 100"),
    ("step-size", "StepSize", 5, "an update changes the weights by far too much, or hardly at all",
     "Ben Braiek and Khomh 2022, arXiv 2204.00694: updates of 1e-4 to 1e-1 of the weights"),
    ("idle-trick", "IdleTrick", 6, "a trick does nothing, or nothing that could matter",
     "gankit's log of what each trick does"),
    ("penalty-too-strong", "PenaltyTooStrong", 11, "D obeys its penalty and learns nothing else",
     "Mescheder et al. 2018, arXiv 1801.04406"),
    ("unbounded-critic", "UnboundedCritic", 11, "nothing bounds D's answers, and they grow",
     "Arjovsky et al. 2017, arXiv 1701.07875"),
    ("dead-units", "DeadUnits", 3, "many units of a layer are always 0 and cannot learn",
     "Lu et al. 2019, arXiv 1903.06733"),
    ("d-overfits", "DOverfits", 10, "D knows the training pictures by heart",
     "Karras et al. 2020, arXiv 2006.06676"),
    ("too-few-pictures", "TooFewPictures", 10, "there are few pictures, and D sees each very often",
     "Zhao et al. 2020, arXiv 2006.10738"),
    ("vanishing-gradient", "VanishingGradient", 5, "G gets hardly any gradient from D",
     "Arjovsky and Bottou 2017, arXiv 1701.04862"),
    ("d-dominates", "DDominates", 6, "D is far ahead, and G learns nothing from it",
     "Goodfellow 2016, arXiv 1701.00160, section 5"),
    ("d-too-weak", "DTooWeak", 6, "D does not see differences that are easy to see",
     "Lopez-Paz and Oquab 2017, arXiv 1610.06545"),
    ("memorisation", "Memorisation", 10, "G copies training pictures",
     "Meehan et al. 2020, arXiv 2004.05675"),
    ("mode-collapse", "ModeCollapse", 5, "G draws nearly the same picture again and again",
     "Salimans et al. 2016, arXiv 1606.03498"),
    ("checkerboard", "Checkerboard", 9, "a regular pattern of pixels lies over G's pictures",
     "Odena et al. 2016, distill.pub/2016/deconv-checkerboard"),
    ("colour-shift", "ColourShift", 10, "G's colours or its contrast are not those of the pictures",
     "Karras et al. 2020, arXiv 2006.06676, on leaking augmentations"),
    ("oscillation", "Oscillation", 5,
     "the players run in circles: pictures change, and get no better",
     "Mescheder et al. 2018, arXiv 1801.04406"),
    ("missing-modes", "MissingModes", 5, "G never draws whole kinds of the pictures",
     "Richardson and Weiss 2018, arXiv 1805.12462"),
    ("stalled", "Stalled", 7, "the pictures get no better any more",
     "Prechelt 1998, Early stopping - but when?"),
)  # fmt: skip

RULES = tuple(
    RuleSpec(
        name=name,
        summary=summary,
        source=source,
        lesson=lesson,
        build=f"gankit_doctor.rules.{name.replace('-', '_')}:{attribute}",
    )
    for name, attribute, lesson, summary, source in _FACTS
)
