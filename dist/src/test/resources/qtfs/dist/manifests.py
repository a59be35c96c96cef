"""manifests.py FILE: what is wrong with Kubernetes manifests, a line each; then the arguments of each daemon, after "args"."""
import sys
import yaml

problems = []


def want(condition, what):
    if not condition:
        problems.append(what)


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
        print("args", *container["args"])
    want(used == set(volumes), f"volumes {volumes}, mounted {sorted(used)}")
    for volume in pod["volumes"]:
        kinds = [kind for kind in volume if kind != "name"]
        want(len(kinds) == 1, f"volume {volume['name']} has kinds {kinds}")
        if "configMap" in volume:
            want(volume["configMap"]["name"] in maps, f"no config map {volume['configMap']['name']}")
    known = {
        "nodeSelector", "priorityClassName", "automountServiceAccountToken", "hostNetwork", "hostPID",
        "terminationGracePeriodSeconds", "containers", "volumes",
    }
    want(set(pod) <= known, f"fields of the pod: {sorted(set(pod) - known)}")
    want(all(isinstance(value, str) for value in pod["nodeSelector"].values()), "a label's value that is no text")


with open(sys.argv[1]) as file:
    manifests = list(yaml.safe_load_all(file))
versions = {"Namespace": "v1", "ConfigMap": "v1", "DaemonSet": "apps/v1"}
maps = [each["metadata"]["name"] for each in manifests if each["kind"] == "ConfigMap"]
for manifest in manifests:
    want(manifest["apiVersion"] == versions.get(manifest["kind"]), f"{manifest['kind']} of {manifest['apiVersion']}")
    want("name" in manifest["metadata"], f"{manifest['kind']} without a name")
    if manifest["kind"] == "DaemonSet":
        daemonset(manifest)
print(*problems, sep="\n", end="")
