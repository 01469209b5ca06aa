# SPDX-License-Identifier: MIT
# CMake toolchain file: cmake -DCMAKE_TOOLCHAIN_FILE=PREFIX/share/exoc/exoc-toolchain.cmake SOURCE
# The system is named Linux because its calls, headers and file formats are what programs find.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
get_filename_component(EXOC_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
set(CMAKE_C_COMPILER "${EXOC_PREFIX}/bin/exoc-cc")
set(CMAKE_FIND_ROOT_PATH "${EXOC_PREFIX}/x86_64-exoc")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS FALSE)
set(BUILD_SHARED_LIBS OFF CACHE BOOL "" FORCE)
