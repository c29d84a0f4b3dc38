# Debian packages; the reason for each is in docs/dependencies.md.
find_package(RapidJSON REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBSECCOMP REQUIRED libseccomp>=2.5)
# Without it there is no onggi-systemd, and --systemd-cgroup is refused.
pkg_check_modules(LIBSYSTEMD libsystemd>=246)

# Without one of them there is no onggi-image.
if(ONGGI_IMAGE_TOOL)
  pkg_check_modules(LIBCRYPTO IMPORTED_TARGET libcrypto>=3.0)
  pkg_check_modules(LIBISAL IMPORTED_TARGET libisal>=2.30)
  pkg_check_modules(LIBZSTD IMPORTED_TARGET libzstd>=1.4)
  pkg_check_modules(LIBLZMA IMPORTED_TARGET liblzma>=5.2)
  find_package(BZip2)
  pkg_check_modules(LIBCURL IMPORTED_TARGET libcurl>=7.86)
  # Its header alone: the package's pkg-config file asks for the shared library, which the static release cannot have.
  find_path(TOMLPLUSPLUS toml++/toml.h)
endif()

# Always the archive, so that the library is the one of the header: see key_of() in src/linux/seccomp_cache.cc.
find_library(LIBSECCOMP_ARCHIVE NAMES libseccomp.a HINTS ${LIBSECCOMP_LIBDIR} REQUIRED)
add_library(onggi_seccomp INTERFACE)
target_link_libraries(onggi_seccomp INTERFACE ${LIBSECCOMP_ARCHIVE})
