"""manifests.py FILE: what is wrong with Kubernetes manifests, a line each; then the arguments of each daemon, after "args"."""
import os
import re
import sys
import yaml

problems = []


def want(condition, what):
    if not condition:
        problems.append(what)


def fields():
    """The API's types: the fields of each, with theirs."""
    types = {}
    with open(os.path.join(os.path.dirname(__file__), "kubernetes-fields.txt")) as lines:
        for line in lines:
            if not line.startswith("#"):
                name, *members = line.split()
                types[name] = dict(member.split(":", 1) for member in members)
    return types


def is_number(value):
    return isinstance(value, int) and not isinstance(value, bool)


def fits(value, kind, path):
    """Says what of a value is not as the API has it."""
    if kind.startswith("[]"):
        want(isinstance(value, list), f"{path}: no list")
        for number, each in enumerate(value if isinstance(value, list) else []):
            fits(each, kind[2:], f"{path}[{number}]")
    elif kind == "map":
        want(isinstance(value, dict) and all(isinstance(key, str) for key in value), f"{path}: no map")
    elif kind in ("int32", "int64"):
        want(is_number(value), f"{path}: no number")
    elif kind == "bool":
        want(isinstance(value, bool), f"{path}: neither true nor false")
    elif kind == "string":
        want(isinstance(value, str), f"{path}: no text")
    elif "|" in kind:
        want(value in kind.split("|"), f"{path}: {value} is none of {kind}")
    elif kind not in types:
        want(False, f"{path}: {kind} is not in kubernetes-fields.txt yet")
    elif not isinstance(value, dict):
        want(False, f"{path}: no {kind}")
    else:
        for field in value:
            want(field in types[kind], f"{path}.{field}: {kind} has no such field")
        for field, of in types[kind].items():
            want(not of.endswith("!") or field in value, f"{path}.{field} is missing")
            if field in value:
                fits(value[field], of.rstrip("!"), f"{path}.{field}")


def quantities(container):
    for what, amounts in container["resources"].items():
        for name, amount in amounts.items():
            fine = re.fullmatch(r"[0-9]+(\.[0-9]+)?(m|k|[KMGT]i?)?", str(amount))
            want(fine, f"{what}.{name}: {amount} is no quantity")


def daemonset(manifest):
    spec = manifest["spec"]
    template = spec["template"]
    labels = template["metadata"]["labels"]
    want(spec["selector"]["matchLabels"].items() <= labels.items(), "the selector does not fit the template's labels")
    want(spec["updateStrategy"]["type"] in ("OnDelete", "RollingUpdate"), "no such update strategy")
    pod = template["spec"]
    volumes = [volume["name"] for volume in pod["volumes"]]
    want(len(volumes) == len(set(volumes)), "two volumes of one name")
    used = set()
    for container in pod["containers"]:
        for field in ("name", "image", "command", "resources", "securityContext", "readinessProbe", "livenessProbe"):
            want(field in container, f"container without {field}")
        for mount in container["volumeMounts"]:
            used.add(mount["name"])
            want(mount["mountPath"].startswith("/"), f"mount path {mount['mountPath']}")
        want(all(isinstance(word, str) for word in container["command"] + container["args"]), "a word that is no text")
        want(container["securityContext"]["capabilities"]["drop"] == ["ALL"], "capabilities are kept")
        quantities(container)
        print("args", *container["args"])
    want(used == set(volumes), f"volumes {volumes}, mounted {sorted(used)}")
    for volume in pod["volumes"]:
        kinds = [kind for kind in volume if kind != "name"]
        want(len(kinds) == 1, f"volume {volume['name']} has kinds {kinds}")
        if "configMap" in volume:
            want(volume["configMap"]["name"] in maps, f"no config map {volume['configMap']['name']}")
    want(all(isinstance(value, str) for value in pod["nodeSelector"].values()), "a label's value that is no text")


with open(sys.argv[1]) as file:
    manifests = list(yaml.safe_load_all(file))
versions = {"Namespace": "v1", "ConfigMap": "v1", "DaemonSet": "apps/v1"}
types = fields()
maps = [each["metadata"]["name"] for each in manifests if each["kind"] == "ConfigMap"]
for manifest in manifests:
    want(manifest["apiVersion"] == versions.get(manifest["kind"]), f"{manifest['kind']} of {manifest['apiVersion']}")
    fits(manifest, manifest["kind"], manifest["kind"])
    name = manifest["metadata"].get("name", "")
    want(re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name), f"{manifest['kind']}: no name: {name}")
    if manifest["kind"] == "DaemonSet":
        daemonset(manifest)
print(*problems, sep="\n", end="")
