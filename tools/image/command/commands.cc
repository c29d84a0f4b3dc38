// SPDX-License-Identifier: Apache-2.0
// The table of commands.
#include "bundle/runtime_log.h"
#include "command/bundle.h"
#include "command/change.h"
#include "command/containers.h"
#include "command/copy.h"
#include "command/cp.h"
#include "command/exec.h"
#include "command/gc.h"
#include "command/inspect.h"
#include "command/lifecycle.h"
#include "command/list.h"
#include "command/logs.h"
#include "command/names.h"
#include "command/port.h"
#include "command/remote.h"
#include "command/run.h"
#include "command/unpack.h"
#include "command/verify.h"
#include "command/volume.h"

namespace onggi::image {
namespace {

using namespace cli;

constexpr auto kGlobalOptions = options<GlobalOptions>({
    option<&GlobalOptions::root>(
        "root", 0, "DIR",
        "path of the store (default: /var/lib/onggi; $XDG_DATA_HOME/onggi for rootless users)"),
    option<&GlobalOptions::max_layer_size>("max-layer-size", 0, "SIZE",
                                           "largest unpacked size of a layer, such as 200g "
                                           "(default: 64g, and 200 times its compressed size)"),
    option<&GlobalOptions::stall_timeout>(
        "stall-timeout", 0, "SECONDS",
        "restart a transfer that has made no progress for this long (default: 30)"),
    option<&GlobalOptions::debug>("debug", 0, nullptr, "print more messages on standard error"),
    option<&GlobalOptions::version>("version", 'v', nullptr, "show the version"),
});

constexpr auto kNoOptions = no_options<NoOptions>();

template <const auto& Table, auto Function>
constexpr Command command(const char* name, const char* operands, const char* summary,
                          int failure_status = 1) {
  return basic_command<GlobalOptions, Table, Function>(name, operands, summary, failure_status);
}

constexpr Command kCommands[] = {
    command<kRunOptions, run_command>("run", "IMAGE [ARGUMENT...]",
                                      "run a program of an image in a new container", kOwnFailure),
    command<kBundleOptions, bundle_command>("bundle", "IMAGE DIR [ARGUMENT...]",
                                            "create a bundle for an OCI runtime"),
    command<kNoOptions, mount_command>("mount", "DIR",
                                       "mount the root filesystem of a bundle again"),
    command<kNoOptions, unmount_command>("unmount", "DIR",
                                         "unmount the root filesystem of a bundle"),
    command<kNoOptions, unbundle_command>("unbundle", "DIR", "unmount and remove a bundle"),
    command<kContainersOptions, containers_command>("containers", "",
                                                    "list the containers that run has created"),
    command<kLogsOptions, logs_command>("logs", "CONTAINER-ID",
                                        "print the output of a detached container"),
    command<kNoOptions, port_command>("port", "CONTAINER-ID [PORT[/PROTOCOL]]",
                                      "show where ports of a running container are published"),
    command<kStartOptions, start_command>("start", "CONTAINER-ID", "run a stopped container again"),
    command<kStopOptions, stop_command>("stop", "CONTAINER-ID...",
                                        "stop containers: a signal, and KILL after a while"),
    command<kKillOptions, kill_command>("kill", "CONTAINER-ID...", "send a signal to containers"),
    command<kNoOptions, wait_command>("wait", "CONTAINER-ID...",
                                      "wait for containers to stop, and print their exit status"),
    command<kExecOptions, exec_command>("exec", "CONTAINER-ID [ARGUMENT...]",
                                        "run another program in a running container"),
    command<kNoOptions, cp_command>("cp", "SOURCE TARGET",
                                    "copy files between a container (CONTAINER-ID:PATH) and the "
                                    "host; - is a tar on standard input or output"),
    command<kExportOptions, export_command>("export", "CONTAINER-ID",
                                            "write the root filesystem of a container as a tar"),
    command<kDeleteOptions, delete_command>("delete", "CONTAINER-ID", "remove a container"),
    command<kVolumeOptions, volume_command>("volume", "ls|inspect|rm|prune [NAME]...",
                                            "list, show or remove named volumes"),
    command<kListOptions, list_command>("list", "", "list the images in the store"),
    command<kInspectOptions, inspect_command>("inspect", "IMAGE",
                                              "show an image's manifest and config"),
    command<kHistoryOptions, history_command>("history", "IMAGE", "show the history of an image"),
    command<kNameOptions, tag_command>("tag", "IMAGE NAME", "give an image another name"),
    command<kNameOptions, untag_command>("untag", "NAME", "remove a name from its image"),
    command<kNameOptions, remove_command>("remove", "IMAGE", "remove an image from the store"),
    command<kCommitOptions, commit_command>("commit", "CONTAINER-ID NAME",
                                            "create an image from a stopped container"),
    command<kConfigOptions, config_command>("config", "IMAGE NAME",
                                            "create an image with a changed configuration"),
    command<kCommitOptions, flatten_command>("flatten", "IMAGE NAME",
                                             "create an image with all layers merged into one"),
    command<kCopyOptions, pull_command>("pull", "NAME", "download an image from a registry"),
    command<kCopyOptions, push_command>("push", "IMAGE [NAME]", "upload an image to a registry"),
    command<kCopyOptions, copy_command>("copy", "SOURCE TARGET",
                                        "copy an image between the store, layouts, archives and "
                                        "registries"),
    command<kGcOptions, gc_command>("gc", "", "remove data that no image or container uses"),
    command<kVerifyOptions, verify_command>("verify", "", "verify every file in the store"),
    command<kUnpackOptions, unpack_command>("unpack", "IMAGE DIR",
                                            "unpack an image into a new directory"),
    command<kTagsOptions, tags_command>("tags", "NAME", "list the tags of a repository"),
    command<kReferrersOptions, referrers_command>(
        "referrers", "NAME", "list the artifacts that refer to an image in its registry"),
    command<kRemoteOptions, delete_remote_command>(
        "delete-remote", "NAME", "remove a tag, or an image by digest, from its registry"),
    command<kLoginOptions, login_command>("login", "[REGISTRY]",
                                          "store credentials for a registry (default: docker.io)"),
    command<kRemoteOptions, logout_command>("logout", "[REGISTRY]",
                                            "remove the credentials for a registry"),
    command<kNoOptions, help<GlobalOptions>>("help", "[COMMAND]", "show help"),
    command<kNoOptions, completion<GlobalOptions>>("completion", "bash",
                                                   "print a shell completion script"),
    command<kNoOptions, man<GlobalOptions>>("man", "", "print the manual page"),
};

// docker's and podman's, in the order of the table in docs/commands.md.
constexpr OtherName kOtherNames[] = {
    {"ps", "containers", nullptr},
    {"images", "list", nullptr},
    {"rmi", "remove", nullptr},
    {"rm", "delete", nullptr},
    {"attach", nullptr, "use logs --follow for output, exec --tty for a shell"},
    {"create", nullptr, "use run --detach, or podman create --runtime onggi"},
    {"restart", nullptr, "use stop, then start"},
    {"top", nullptr, "use exec CONTAINER-ID ps"},
    {"pause", nullptr, "use onggi pause CONTAINER-ID"},
    {"unpause", nullptr, "use onggi resume CONTAINER-ID"},
    {"update", nullptr, "use onggi update CONTAINER-ID"},
    {"stats", nullptr, "use onggi events --stats CONTAINER-ID"},
    {"rename", nullptr, "choose the name with run --name"},
    {"build", nullptr, "use buildah build, or podman build --runtime onggi"},
    {"search", nullptr, "use podman search"},
    {"network", nullptr, "use podman network, and podman run --runtime onggi"},
    {"healthcheck", nullptr, "use podman run --runtime onggi --health-cmd"},
    {"pod", nullptr, "use podman pod create, and podman run --runtime onggi --pod"},
    {"compose", nullptr,
     "use podman --runtime onggi compose, or docker compose with runtime: onggi"},
    {"swarm", nullptr, "use dockerd --add-runtime onggi=/usr/bin/onggi"},
    {"service", nullptr, "use dockerd --add-runtime onggi=/usr/bin/onggi"},
    {"stack", nullptr, "use dockerd --add-runtime onggi=/usr/bin/onggi"},
    {"events", nullptr, "use onggi events CONTAINER-ID, or podman events"},
};

constexpr std::string_view kDescription =
    "Pulls images from registries, keeps them in a store of shared layers, and creates bundles "
    "from them\nfor\n.BR onggi (1).\n";
constexpr std::string_view kExitStatus =
    "0 on success and 1 on failure.\nThat of\n.B run\nis the exit status of the program, or 128 "
    "and the number of the signal that ended it;\n127 if the program is not found, 126 if it "
    "cannot be executed, and 125 if\n.B onggi-image\nor the runtime fails before that.\n";

}  // namespace

Program program() {
  return {"onggi-image",
          "Images for containers: from registries to bundles.",
          ONGGI_VERSION,
          "images and registries for onggi",
          kDescription,
          kExitStatus,
          kGlobalOptions,
          rows_of<GlobalOptions>(kCommands),
          {{"IMAGE", "$(onggi-image list --quiet 2>/dev/null)"},
           {"CONTAINER-ID", "$(onggi-image containers --quiet 2>/dev/null)"}},
          kOtherNames};
}

}  // namespace onggi::image
