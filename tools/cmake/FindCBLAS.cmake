# CBLAS::CBLAS, a BLAS with its C interface. OpenBLAS is preferred, and of its flavours the one on OpenMP:
# its threads are then the ones that ganc's own loops use. Sets CBLAS_LIBRARY, CBLAS_INCLUDE_DIR and
# CBLAS_IS_OPENBLAS.

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_check_modules(PC_OPENBLAS QUIET openblas)
endif()

find_library(CBLAS_LIBRARY NAMES openblas
             PATH_SUFFIXES openblas-openmp ${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp
             NO_DEFAULT_PATH PATHS /usr/lib /usr/lib64)
find_library(CBLAS_LIBRARY NAMES openblaso openblas blis cblas blas HINTS ${PC_OPENBLAS_LIBRARY_DIRS})

# The header beside the library that was found, when there is one.
find_path(CBLAS_INCLUDE_DIR cblas.h
          PATH_SUFFIXES openblas-openmp ${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp
          NO_DEFAULT_PATH PATHS /usr/include)
find_path(CBLAS_INCLUDE_DIR cblas.h HINTS ${PC_OPENBLAS_INCLUDE_DIRS} PATH_SUFFIXES openblas blis)

if(CBLAS_LIBRARY AND CBLAS_INCLUDE_DIR)
    include(CheckLibraryExists)
    check_library_exists(${CBLAS_LIBRARY} cblas_sgemm "" CBLAS_HAS_SGEMM)
    check_library_exists(${CBLAS_LIBRARY} openblas_set_num_threads "" CBLAS_IS_OPENBLAS)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CBLAS REQUIRED_VARS CBLAS_LIBRARY CBLAS_INCLUDE_DIR CBLAS_HAS_SGEMM)
if(CBLAS_FOUND AND NOT TARGET CBLAS::CBLAS)
    add_library(CBLAS::CBLAS UNKNOWN IMPORTED)
    set_target_properties(CBLAS::CBLAS PROPERTIES
        IMPORTED_LOCATION ${CBLAS_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${CBLAS_INCLUDE_DIR})
endif()
mark_as_advanced(CBLAS_LIBRARY CBLAS_INCLUDE_DIR)
