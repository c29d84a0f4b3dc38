// SPDX-License-Identifier: Apache-2.0
// The options that say how a container is to be, with the names that docker and podman gave them.
#pragma once

#include "bundle/bundle_config.h"
#include "bundle/network.h"
#include "bundle/overrides.h"
#include "bundle/volumes.h"
#include "command/command.h"
#include "command/image_lookup.h"

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
                                      "add to the environment; NAME alone has the value that it "
                                      "has here (repeatable)"),
    cli::option<&ContainerFlags::volume>("volume", 'v', "[SOURCE:]DESTINATION[:OPTION,...]",
                                         "mount a directory or file of the host, or a named "
                                         "volume (repeatable)"),
    cli::option<&ContainerFlags::workdir>("workdir", 'w', "DIR",
                                          "working directory in the container"),
    cli::option<&ContainerFlags::user>("user", 'u', "USER[:GROUP]", "names or numbers"),
    cli::option<&ContainerFlags::entrypoint>("entrypoint", 0, "PROGRAM",
                                             "in place of the image's; empty: none"),
    cli::option<&ContainerFlags::hostname>("hostname", 0, "NAME", "of the container"),
    cli::option<&ContainerFlags::memory>("memory", 'm', "SIZE", "memory limit; 512m, 2g"),
    cli::option<&ContainerFlags::cpus>("cpus", 0, "N", "limit of CPU time; 1.5 is one and a half"),
    cli::option<&ContainerFlags::pids_limit>("pids-limit", 0, "N", "limit of processes"),
    cli::option<&ContainerFlags::tty>("tty", 't', nullptr, "give the program a terminal"),
    cli::option<&ContainerFlags::read_only>("read-only", 0, nullptr,
                                            "the root filesystem cannot be written to"),
    cli::option<&ContainerFlags::no_new_privileges>(
        "no-new-privileges", 0, nullptr, "programs gain nothing by set-id bits or capabilities"),
    cli::option<&ContainerFlags::seccomp>(
        "seccomp", 0, "FILE|none",
        "which system calls are permitted, as a profile of docker's or podman's form (default: "
        "podman's, if it is installed)"),
    cli::option<&ContainerFlags::pull>("pull", 0, "missing|always|never",
                                       "when to ask the registry (default: missing)"),
    cli::option<&ContainerFlags::platform>("platform", 0, "OS/ARCH[/VARIANT]",
                                           "of an image for several (default: this machine's)"),
    cli::option<&ContainerFlags::authfile>("authfile", 0, "FILE", "credentials, as for pull"),
    cli::option<&ContainerFlags::plain_http>("plain-http", 0, nullptr,
                                             "permit a registry without encryption"),
});

inline constexpr auto kRunOptions =
    kBundleOptions +
    cli::options<ContainerFlags>({
        cli::option<&ContainerFlags::publish>("publish", 'p', "[ADDRESS:]HOST:CONTAINER[/PROTOCOL]",
                                              "make a port or a range of ports of the container "
                                              "one of the host (repeatable)"),
        cli::option<&ContainerFlags::network>(
            "network", 0, "bridge|slirp4netns|none|host",
            "a bridge of the host's containers, a network that needs no rights, the loopback "
            "alone, "
            "or the host's own network (default: bridge, or slirp4netns for an ordinary user)"),
        cli::option<&ContainerFlags::interactive>("interactive", 'i', nullptr,
                                                  "standard input is the program's"),
        cli::option<&ContainerFlags::detach>("detach", 'd', nullptr,
                                             "return once the program runs, and print the "
                                             "container's id; what it says goes to a log"),
        cli::option<&ContainerFlags::remove>("rm", 0, nullptr,
                                             "remove the container when it has ended"),
        cli::option<&ContainerFlags::name>("name", 0, "ID", "the container's id (default: random)"),
        cli::option<&ContainerFlags::runtime>("runtime", 0, "FILE",
                                              "the OCI runtime (default: onggi)"),
    });

// How a network namespace of its own gets to other machines.
enum class Connection : uint8_t { none, bridge, slirp4netns };

// The options as values; nothing has been touched yet.
struct ContainerRequest {
  Overrides overrides;
  BundleOptions bundle;
  std::vector<Volume> volumes;
  Connection connection = Connection::none;
  std::vector<PortMapping> ports;
  LookupFlags lookup;
};
// `arguments` are the words behind the image and, for a bundle, its directory.
Result<ContainerRequest> container_request(const ContainerFlags& flags, cli::Arguments arguments);
// --network and --publish, which are `run`'s alone.
Result<> read_network(const ContainerFlags& flags, ContainerRequest& request);

}  // namespace onggi::image
