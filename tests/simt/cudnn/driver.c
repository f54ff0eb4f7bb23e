/* A CUDA driver without a GPU, as much of it as cuDNN wants before it compiles a kernel for one:
 * what loads a kernel says that it did, the rest that it is no driver. */
enum { SUCCESS = 0, STUB_LIBRARY = 34 };

#define LOADS(name)                                                                                \
    int name(void **out);                                                                          \
    int name(void **out) {                                                                         \
        *out = (void *)out;                                                                        \
        return SUCCESS;                                                                            \
    }
#define TAKES(name)                                                                                \
    int name(void);                                                                                \
    int name(void) { return SUCCESS; }
#define REFUSES(name)                                                                              \
    int name(void);                                                                                \
    int name(void) { return STUB_LIBRARY; }

LOADS(cuLibraryLoadData)
LOADS(cuLibraryGetKernel)
LOADS(cuKernelGetFunction)
LOADS(cuModuleLoadData)
LOADS(cuModuleLoadDataEx)
LOADS(cuModuleGetFunction)

TAKES(cuLibraryUnload)
TAKES(cuModuleUnload)
TAKES(cuKernelSetAttribute)
TAKES(cuFuncSetAttribute)

int cuDriverGetVersion(int *version);
int cuDriverGetVersion(int *version) {
    *version = 13000;
    return SUCCESS;
}

REFUSES(cuInit)
REFUSES(cuGetExportTable)
REFUSES(cuGetProcAddress)
REFUSES(cuGetProcAddress_v2)
REFUSES(cuGetErrorString)
REFUSES(cuGetErrorName)
REFUSES(cuDeviceGet)
REFUSES(cuDeviceGetCount)
REFUSES(cuDeviceGetAttribute)
REFUSES(cuDevicePrimaryCtxRetain)
REFUSES(cuDevicePrimaryCtxRelease)
REFUSES(cuDevicePrimaryCtxReset)
REFUSES(cuCtxGetCurrent)
REFUSES(cuCtxGetDevice)
REFUSES(cuCtxGetLimit)
REFUSES(cuCtxPushCurrent)
REFUSES(cuCtxPopCurrent)
REFUSES(cuStreamGetCtx)
REFUSES(cuStreamSynchronize)
REFUSES(cuMemcpyDtoH_v2)
REFUSES(cuTensorMapEncodeTiled)
REFUSES(cuLibraryLoadFromFile)
REFUSES(cuKernelGetAttribute)
REFUSES(cuFuncGetAttribute)
REFUSES(cuModuleGetGlobal_v2)
REFUSES(cuModuleLoadFatBinary)
REFUSES(cuLinkCreate)
REFUSES(cuLinkCreate_v2)
REFUSES(cuLinkAddData)
REFUSES(cuLinkAddData_v2)
REFUSES(cuLinkAddFile_v2)
REFUSES(cuLinkComplete)
REFUSES(cuLinkDestroy)
REFUSES(cuLaunchKernel)
REFUSES(cuLaunchKernelEx)
REFUSES(cuLaunchCooperativeKernel)
REFUSES(cuOccupancyMaxActiveBlocksPerMultiprocessor)
REFUSES(cuOccupancyMaxPotentialClusterSize)
