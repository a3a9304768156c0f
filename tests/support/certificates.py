"""Certificates for tests, made on the spot with the openssl command."""

import pathlib
import subprocess


class Certificate:
    """Two PEM files: `certificate` and `key`."""

    def __init__(self, folder, name):
        self.certificate = pathlib.Path(folder) / f"{name}.pem"
        self.key = pathlib.Path(folder) / f"{name}.key"


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def _new_key(path, kind):
    if kind == "ec":
        _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    else:
        _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path)


def make_authority(folder, name="authority"):
    """Somebody who signs."""
    made = Certificate(folder, name)
    _new_key(made.key, "ec")
    _openssl("req", "-x509", "-new", "-key", made.key, "-subj", f"/CN={name}", "-days", 30,
             "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", made.certificate)
    return made


def make_certificate(folder, authority, name, alternatives="DNS:localhost,IP:127.0.0.1",
                     kind="ec", days=30):
    """For a broker or a client; negative days: expired."""
    made = Certificate(folder, name)
    _new_key(made.key, kind)
    request, extensions = made.key.with_suffix(".csr"), made.key.with_suffix(".ext")
    _openssl("req", "-new", "-key", made.key, "-subj", f"/O=Example/CN={name}", "-out", request)
    extensions.write_text(f"subjectAltName={alternatives}\n", encoding="ascii")
    _openssl("x509", "-req", "-in", request, "-CA", authority.certificate, "-CAkey", authority.key,
             "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", made.certificate)
    return made
