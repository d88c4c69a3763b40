"""What a pack is handed over as: JSON, PDF, and a signed note over both."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from bridge.compliance import Officer
from bridge.errors import BadInput
from storage.compliance import verify_atom
from storage.compliance.acts import Act
from storage.compliance.evidence.pack import KIND, Pack


def statement(pack: Pack, pdf: bytes) -> str:
    """Return the text that is signed: what the files are, and their SHA-256."""
    data = pack.data
    return (
        f"{KIND}\n{data['company']}\n{data['period']['text']}\n"
        f"{data['log']['size']} {data['log']['root']}\n"
        f"json {pack.digest}\npdf {sha256(pdf).hexdigest()}\n"
    )


def enclosed(name: str, pack: Pack) -> dict[str, bytes]:
    """Return what an outsider needs to check the samples: proofs, key, verifier."""
    folder = f"{name}-proofs"
    files = {
        f"{folder}/{seq}.proof": proof.encode()
        for seq, proof in pack.data["proofs"].items()
    }
    files[f"{folder}/verifier-keys"] = (
        "\n".join(pack.data["verifier_keys"]) + "\n"
    ).encode()
    files[f"{folder}/verify_atom.py"] = Path(verify_atom.__file__).read_bytes()
    return files


def made(tenant: str, officer: Officer, pack: Pack, pdf: bytes) -> Act:
    """Return the act of making a pack."""
    period, size = pack.data["period"]["text"], pack.checkpoint.size
    return Act(
        tenant,
        "export.create",
        officer.name,
        f"evidence pack for {period} as of {size} entries",
        {
            "what": "evidence",
            "period": period,
            "size": size,
            "root": pack.checkpoint.root.hex(),
            "json_sha256": pack.digest,
            "pdf_sha256": sha256(pdf).hexdigest(),
            "result_count": len(pack.data["proofs"]),
        },
    )


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files, for their owner alone. Raises `BadInput` if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True, mode=0o700)
            path.write_bytes(data)
            path.chmod(0o600)
    except OSError as error:
        raise BadInput(f"{folder} cannot be written: {error.strerror}") from error
