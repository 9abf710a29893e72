"""Pictures for the site, as WebP: as PNG, pictures of GANs are several times larger."""


def save(picture, path, largest, **more):
    """Save in the best quality that stays within so many bytes."""
    for quality in range(95, 0, -5):
        picture.save(path, quality=quality, method=6, **more)
        if path.stat().st_size <= largest:
            return
    path.unlink()
    raise SystemExit(f"{path.name} is too large for the site: make a smaller one")
