"""Save pictures for the site as WebP, because PNG files of GAN samples are several times larger."""


def save(picture, path, max_bytes, **options):
    """Save a PIL image in the best quality that stays within `max_bytes`.

    `options` go to PIL's `Image.save`. Exits with an error if even the lowest quality is too large.
    """
    for quality in range(95, 0, -5):
        picture.save(path, quality=quality, method=6, **options)
        if path.stat().st_size <= max_bytes:
            return
    path.unlink()
    raise SystemExit(f"{path.name} is too large for the site: make a smaller one")
