# SPDX-License-Identifier: GPL-2.0-only
"""Keys and credentials of NATS, as nsc makes them, for tests: an operator, an account, and
users whose rights a scoped signing key gives to the name of each. Needs openssl."""

import base64
import binascii
import json
import os
import subprocess
import time

OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3


def base32(data):
    return base64.b32encode(data + binascii.crc_hqx(data, 0).to_bytes(2, "little")
                            ).decode().rstrip("=")


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Key:
    """A pair of keys of Ed25519"""

    def __init__(self, folder, kind):
        seed = os.urandom(32)
        self.path = os.path.join(folder, f"key-{seed[:4].hex()}.der")
        with open(self.path, "wb") as file:
            file.write(bytes.fromhex("302e020100300506032b657004220420") + seed)
        done = subprocess.run(["openssl", "pkey", "-inform", "DER", "-in", self.path, "-pubout",
                               "-outform", "DER"], check=True, stdout=subprocess.PIPE)
        self.public = base32(bytes([kind]) + done.stdout[-32:])
        self.seed = base32(bytes([SEED | kind >> 5, (kind & 31) << 3]) + seed)

    def sign(self, data):
        with open(self.path + ".data", "wb") as file:
            file.write(data)
        return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.path,
                               "-keyform", "DER", "-in", self.path + ".data"], check=True,
                              stdout=subprocess.PIPE).stdout

    def claim(self, subject, name, **claims):
        """A JWT that this key gives to the public key @subject"""
        text = ".".join(base64url(json.dumps(part).encode()) for part in (
            {"typ": "JWT", "alg": "ed25519-nkey"},
            {"jti": os.urandom(8).hex(), "iat": int(time.time()), "iss": self.public,
             "sub": subject, "name": name, "nats": {"version": 2, **claims}}))
        return text + "." + base64url(self.sign(text.encode()))


class Operator:
    """An operator with one account that has JetStream"""

    def __init__(self, folder, template):
        self.folder = folder
        self.key, self.account, self.signer = (Key(folder, kind)
                                               for kind in (OPERATOR, ACCOUNT, ACCOUNT))
        limits = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf",
                                "mem_storage", "disk_storage", "streams", "consumer"), -1)
        jwt = self.key.claim(self.account.public, "fleet", type="account",
                             limits={**limits, "wildcards": True}, signing_keys=[{
                                 "kind": "user_scope", "key": self.signer.public,
                                 "role": "machine", "template": {
                                     **template, "subs": -1, "data": -1, "payload": -1}}])
        operator = self.key.claim(self.key.public, "operator", type="operator")
        # JetStream needs one.
        system = Key(folder, ACCOUNT)
        of_system = self.key.claim(system.public, "SYS", type="account", limits={
            **limits, "wildcards": True, "mem_storage": 0, "disk_storage": 0})
        self.configuration = (f"operator: {operator}\nresolver: MEMORY\n"
                              f"system_account: {system.public}\n"
                              f"resolver_preload: {{ {self.account.public}: {jwt}\n"
                              f"  {system.public}: {of_system} }}\n")

    def user(self, name, signer=None, **claims):
        """Key and JWT of one; of the account's own key with all rights"""
        key = Key(self.folder, USER)
        return key, (signer or self.signer).claim(
            key.public, name, type="user", issuer_account=self.account.public, **claims)

    def admin(self):
        """What a client says to connect, of what the server has said"""
        key, jwt = self.user("admin", self.account, subs=-1, data=-1, payload=-1)
        return lambda info: {"jwt": jwt, "sig": base64url(key.sign(info["nonce"].encode()))}

    def credentials(self, name, path):
        key, jwt = self.user(name)
        with open(path, "w") as file:
            file.write(f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
                       f"-----BEGIN USER NKEY SEED-----\n{key.seed}\n"
                       "------END USER NKEY SEED------\n")
