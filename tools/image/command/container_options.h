// SPDX-License-Identifier: Apache-2.0
// The options that say how a container is to be, with the names that docker and podman gave them.
#pragma once

#include "bundle/bundle_config.h"
#include "bundle/overrides.h"
#include "bundle/volumes.h"
#include "command/command.h"
#include "command/image_lookup.h"
#include "network/network.h"

namespace onggi::image {

struct ContainerFlags {
  std::vector<std::string> env, volume, publish;
  std::vector<std::string> entrypoint;  // the last one counts; it may be empty
  std::string workdir, user, hostname, seccomp, memory, cpus, pids_limit, network;
  std::string platform, authfile;
  std::string name, runtime;
  Pull pull = Pull::missing;
  bool plain_http = false;
  bool tty = false, read_only = false, no_new_privileges = false;
  bool interactive = false, detach = false, remove = false;
};

inline constexpr auto kBundleOptions = cli::options<ContainerFlags>({
    cli::option<&ContainerFlags::env>("env", 'e', "NAME=VALUE",
                                      "set an environment variable; NAME alone takes the value "
                                      "from this environment (repeatable)"),
    cli::option<&ContainerFlags::volume>(
        "volume", 'v', "[SOURCE:]DESTINATION[:OPTION,...]",
        "mount a host directory or file, or a named volume (repeatable)"),
    cli::option<&ContainerFlags::workdir>("workdir", 'w', "DIR",
                                          "working directory in the container"),
    cli::option<&ContainerFlags::user>("user", 'u', "USER[:GROUP]",
                                       "user and group, as names or numbers"),
    cli::option<&ContainerFlags::entrypoint>("entrypoint", 0, "PROGRAM",
                                             "replace the image's entrypoint; empty: none"),
    cli::option<&ContainerFlags::hostname>("hostname", 0, "NAME", "hostname of the container"),
    cli::option<&ContainerFlags::memory>("memory", 'm', "SIZE", "memory limit, such as 512m or 2g"),
    cli::option<&ContainerFlags::cpus>("cpus", 0, "N",
                                       "number of CPUs that may be used, such as 1.5"),
    cli::option<&ContainerFlags::pids_limit>("pids-limit", 0, "N",
                                             "maximum number of processes; -1: unlimited"),
    cli::option<&ContainerFlags::tty>("tty", 't', nullptr, "give the program a terminal"),
    cli::option<&ContainerFlags::read_only>("read-only", 0, nullptr,
                                            "make the root filesystem read-only"),
    cli::option<&ContainerFlags::no_new_privileges>(
        "no-new-privileges", 0, nullptr,
        "set no_new_privs: set-id bits and file capabilities grant nothing"),
    cli::option<&ContainerFlags::seccomp>(
        "seccomp", 0, "FILE|none",
        "seccomp profile in the format of Docker and podman (default: podman's, if installed)"),
    cli::option<&ContainerFlags::pull>("pull", 0, "missing|always|never",
                                       "when to download the image (default: missing)"),
    cli::option<&ContainerFlags::platform>(
        "platform", 0, "OS/ARCH[/VARIANT]",
        "platform to choose from a multi-platform image (default: this machine's)"),
    cli::option<&ContainerFlags::authfile>("authfile", 0, "FILE", "credentials, as for pull"),
    cli::option<&ContainerFlags::plain_http>("plain-http", 0, nullptr,
                                             "allow unencrypted connections to the registry"),
});

inline constexpr auto kRunOptions =
    kBundleOptions +
    cli::options<ContainerFlags>({
        cli::option<&ContainerFlags::publish>(
            "publish", 'p', "[[ADDRESS:][HOST]:]CONTAINER[/PROTOCOL]",
            "publish a port or a range of ports on the host; without HOST on a free port, which "
            "'port' shows (repeatable)"),
        cli::option<&ContainerFlags::network>(
            "network", 0, "bridge|pasta|slirp4netns|none|host",
            "network of the container; none has only a loopback interface; bridge is netavark or "
            "cni, which can also be named (default: bridge; pasta or slirp4netns for rootless "
            "users)"),
        cli::option<&ContainerFlags::interactive>("interactive", 'i', nullptr,
                                                  "connect standard input to the program"),
        cli::option<&ContainerFlags::detach>(
            "detach", 'd', nullptr,
            "run in the background, print the container ID, and write the output to a log"),
        cli::option<&ContainerFlags::remove>("rm", 0, nullptr,
                                             "remove the container after it has stopped"),
        cli::option<&ContainerFlags::name>("name", 0, "ID", "container ID (default: random)"),
        cli::option<&ContainerFlags::runtime>("runtime", 0, "FILE",
                                              "path of the OCI runtime (default: onggi)"),
    });

// The options as values; nothing has been touched yet.
struct ContainerRequest {
  Overrides overrides;
  BundleOptions bundle;
  std::vector<Volume> volumes;
  Connection connection = nullptr;
  std::vector<PortRequest> ports;
  LookupFlags lookup;
};
// `arguments` are the words behind the image and, for a bundle, its directory.
Result<ContainerRequest> container_request(const ContainerFlags& flags, cli::Arguments arguments);
// --network and --publish, which are `run`'s alone.
Result<> read_network(const ContainerFlags& flags, ContainerRequest& request);

}  // namespace onggi::image
