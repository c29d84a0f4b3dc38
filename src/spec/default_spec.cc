// SPDX-License-Identifier: Apache-2.0
// Equal in meaning to what runc writes since 1.2, so that people find what they know; the name and
// the version are ours, and the masked paths are those of today's engines (/proc/interrupts and
// powercap are side channels).
#include "spec/default_spec.h"

#include <string_view>

namespace onggi::spec {
namespace {

// The parts that both documents have, and between them those in which they differ.
// clang-format off
constexpr std::string_view kUntilTerminals = R"JSON({
	"ociVersion": "1.3.0",
	"process": {
		"terminal": true,
		"user": {
			"uid": 0,
			"gid": 0
		},
		"args": [
			"sh"
		],
		"env": [
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"TERM=xterm"
		],
		"cwd": "/",
		"capabilities": {
			"bounding": [
				"CAP_AUDIT_WRITE",
				"CAP_KILL",
				"CAP_NET_BIND_SERVICE"
			],
			"effective": [
				"CAP_AUDIT_WRITE",
				"CAP_KILL",
				"CAP_NET_BIND_SERVICE"
			],
			"permitted": [
				"CAP_AUDIT_WRITE",
				"CAP_KILL",
				"CAP_NET_BIND_SERVICE"
			]
		},
		"rlimits": [
			{
				"type": "RLIMIT_NOFILE",
				"hard": 1024,
				"soft": 1024
			}
		],
		"noNewPrivileges": true
	},
	"root": {
		"path": "rootfs",
		"readonly": true
	},
	"hostname": "onggi",
	"mounts": [
		{
			"destination": "/proc",
			"type": "proc",
			"source": "proc"
		},
		{
			"destination": "/dev",
			"type": "tmpfs",
			"source": "tmpfs",
			"options": [
				"nosuid",
				"strictatime",
				"mode=755",
				"size=65536k"
			]
		},
		{
			"destination": "/dev/pts",
			"type": "devpts",
			"source": "devpts",
			"options": [
				"nosuid",
				"noexec",
				"newinstance",
				"ptmxmode=0666",
				"mode=0620")JSON";

constexpr std::string_view kTerminalGroup = R"JSON(,
				"gid=5")JSON";

constexpr std::string_view kUntilSys = R"JSON(
			]
		},
		{
			"destination": "/dev/shm",
			"type": "tmpfs",
			"source": "shm",
			"options": [
				"nosuid",
				"noexec",
				"nodev",
				"mode=1777",
				"size=65536k"
			]
		},
		{
			"destination": "/dev/mqueue",
			"type": "mqueue",
			"source": "mqueue",
			"options": [
				"nosuid",
				"noexec",
				"nodev"
			]
		},
)JSON";

constexpr std::string_view kSys = R"JSON(		{
			"destination": "/sys",
			"type": "sysfs",
			"source": "sysfs",
			"options": [
				"nosuid",
				"noexec",
				"nodev",
				"ro"
			]
		},
)JSON";

// A sysfs of its own takes a network namespace of its own.
constexpr std::string_view kHostSys = R"JSON(		{
			"destination": "/sys",
			"type": "none",
			"source": "/sys",
			"options": [
				"rbind",
				"nosuid",
				"noexec",
				"nodev",
				"rro"
			]
		},
)JSON";

constexpr std::string_view kUntilLinux = R"JSON(		{
			"destination": "/sys/fs/cgroup",
			"type": "cgroup",
			"source": "cgroup",
			"options": [
				"nosuid",
				"noexec",
				"nodev",
				"relatime",
				"ro"
			]
		}
	],
	"linux": {
)JSON";

constexpr std::string_view kDeviceRules = R"JSON(		"resources": {
			"devices": [
				{
					"allow": false,
					"access": "rwm"
				}
			]
		},
		"namespaces": [
			{
				"type": "network"
			},
)JSON";

constexpr std::string_view kUserNamespace = R"JSON(		"namespaces": [
			{
				"type": "user"
			},
)JSON";

constexpr std::string_view kRest = R"JSON(			{
				"type": "pid"
			},
			{
				"type": "ipc"
			},
			{
				"type": "uts"
			},
			{
				"type": "mount"
			},
			{
				"type": "cgroup"
			}
		],
		"maskedPaths": [
			"/proc/acpi",
			"/proc/asound",
			"/proc/interrupts",
			"/proc/kcore",
			"/proc/keys",
			"/proc/latency_stats",
			"/proc/timer_list",
			"/proc/timer_stats",
			"/proc/sched_debug",
			"/sys/devices/virtual/powercap",
			"/sys/devices/virtual/tpm",
			"/sys/firmware",
			"/proc/scsi"
		],
		"readonlyPaths": [
			"/proc/bus",
			"/proc/fs",
			"/proc/irq",
			"/proc/sys",
			"/proc/sysrq-trigger"
		]
	}
}
)JSON";
// clang-format on

// The one id that every user may map, as root of the container.
void add_mapping(std::string& text, std::string_view field, uint32_t host_id) {
  text.append("\t\t\"").append(field).append("\": [\n\t\t\t{\n");
  text.append("\t\t\t\t\"containerID\": 0,\n\t\t\t\t\"hostID\": ");
  text.append(std::to_string(host_id)).append(",\n\t\t\t\t\"size\": 1\n\t\t\t}\n\t\t],\n");
}

}  // namespace

std::string default_spec() {
  std::string text;
  for (std::string_view part :
       {kUntilTerminals, kTerminalGroup, kUntilSys, kSys, kUntilLinux, kDeviceRules, kRest})
    text.append(part);
  return text;
}

std::string default_rootless_spec(uint32_t uid, uint32_t gid) {
  std::string text;
  for (std::string_view part : {kUntilTerminals, kUntilSys, kHostSys, kUntilLinux})
    text.append(part);
  add_mapping(text, "uidMappings", uid);
  add_mapping(text, "gidMappings", gid);
  return text.append(kUserNamespace).append(kRest);
}

}  // namespace onggi::spec
