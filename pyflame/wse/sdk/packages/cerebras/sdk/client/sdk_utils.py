"""Host-side conversions of the SDK, under the client package's name."""

from pyflame.wse.sdk.host_data import calculate_cycles as calculate_cycles
from pyflame.wse.sdk.host_data import cast_uint32 as cast_uint32
from pyflame.wse.sdk.host_data import check_rpc_api as check_rpc_api
from pyflame.wse.sdk.host_data import float_to_hex as float_to_hex
from pyflame.wse.sdk.host_data import get_api_info_dict as get_api_info_dict
from pyflame.wse.sdk.host_data import (
    get_api_info_dict_from_json as get_api_info_dict_from_json,
)
from pyflame.wse.sdk.host_data import (
    get_output_name_from_compile_options as getOutputNameFromCompileOptions,
)
from pyflame.wse.sdk.host_data import input_array_to_u32 as input_array_to_u32
from pyflame.wse.sdk.host_data import is_valid_primitive_type as is_valid_primitive_type
from pyflame.wse.sdk.host_data import make_u48 as make_u48
from pyflame.wse.sdk.host_data import memcpy_view as memcpy_view
from pyflame.wse.sdk.host_data import parse_host_callable_api as parse_host_callable_api
from pyflame.wse.sdk.host_data import sub_ts as sub_ts

__all__ = ["getOutputNameFromCompileOptions"]
