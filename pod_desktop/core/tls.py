"""TLS contexts of our own: system certificates, verification on, no key log, nothing from the environment."""

from __future__ import annotations

import ssl

from pod_desktop.core.faults import UserFault


def client_context(ca_file: str = "", verify: bool = True) -> ssl.SSLContext:
    """A client's context.

    ssl.create_default_context() would honour SSLKEYLOGFILE, and so write the session keys to a file that
    an environment variable names; this one does not.

    Raises:
        UserFault: the CA file cannot be read or holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if not ca_file:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cafile=ca_file)
    except ssl.SSLError:
        raise UserFault(
            "This CA file holds no certificate.", "ca_file", "It must be PEM: -----BEGIN CERTIFICATE-----."
        ) from None
    except OSError as error:
        raise UserFault(
            f"The CA file {ca_file} cannot be read ({error.strerror}).", "ca_file", "Choose another file."
        ) from None
    return context
