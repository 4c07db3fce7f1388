"""Signs CloudFront cookies with AWS's own code: the policies of the AWS CLI, the cryptography of AWS's CRT.

It takes the arguments of `aws cloudfront sign-cookies` and answers as that command does, one JSON object of
names and values. The command itself is younger than every AWS CLI of the package index, which signs URLs, with
RSA and SHA-1; it is made of these two libraries. One thing goes on here that the command refuses: an ECDSA key
with SHA-1, which others of AWS's SDKs take.
"""

import argparse
import base64
import hashlib
import json
import sys

from awscli.botocore.signers import CloudFrontSigner
from awscli.botocore.utils import parse_to_aware_datetime
from awscrt.crypto import EC, RSA, RSASignatureAlgorithm

RSA_ALGORITHMS = {
    "SHA1": RSASignatureAlgorithm.PKCS1_5_SHA1,
    "SHA256": RSASignatureAlgorithm.PKCS1_5_SHA256,
}


def main(arguments) -> int:
    """Prints the cookies."""
    args = parsed(arguments)
    signer = CloudFrontSigner(args.key_pair_id, signature_of(args.private_key, args.hash_algorithm))
    end = parse_to_aware_datetime(args.date_less_than)
    start = args.date_greater_than and parse_to_aware_datetime(args.date_greater_than)
    if start or args.ip_address or "*" in args.resource:
        policy = signer.build_policy(args.resource, end, date_greater_than=start, ip_address=args.ip_address)
        url = signer.generate_presigned_url(args.resource, policy=policy)
    else:
        url = signer.generate_presigned_url(args.resource, date_less_than=end)
    query = url[len(args.resource) + 1 :]
    cookies = {"CloudFront-" + name: value for name, value in (pair.split("=", 1) for pair in query.split("&"))}
    if args.hash_algorithm != "SHA1":
        cookies["CloudFront-Hash-Algorithm"] = args.hash_algorithm
    print(json.dumps(cookies))
    return 0


def parsed(arguments) -> argparse.Namespace:
    """The arguments by name."""
    parser = argparse.ArgumentParser()
    for name in ["resource", "key-pair-id", "private-key", "date-less-than"]:
        parser.add_argument("--" + name, required=True)
    for name in ["date-greater-than", "ip-address"]:
        parser.add_argument("--" + name)
    parser.add_argument("--hash-algorithm", choices=list(RSA_ALGORITHMS), default="SHA1")
    parser.add_argument("--output", choices=["json"], default="json")
    return parser.parse_args(arguments)


def signature_of(url, hash_algorithm):
    """A function from a message to its signature, with the key in the file that `url` names."""
    with open(url.removeprefix("file://"), encoding="ascii") as file:
        pem = file.read()
    digest = lambda message: hashlib.new(hash_algorithm, message).digest()
    try:
        key = RSA.new_private_key_from_pem_data(pem.encode("ascii"))
        return lambda message: key.sign(RSA_ALGORITHMS[hash_algorithm], digest(message))
    except RuntimeError:
        der = base64.b64decode("".join(pem.strip().splitlines()[1:-1]))
        pair = EC.new_key_from_der_data(der)
        return lambda message: pair.sign(digest(message))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
