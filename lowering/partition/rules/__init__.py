"""Partition rules: how one primitive of the core set runs on tiles.

Importing this package registers all of them.
"""

from lowering.partition.rules import chosen_elements as chosen_elements
from lowering.partition.rules import collectives as collectives
from lowering.partition.rules import convolution as convolution
from lowering.partition.rules import creation as creation
from lowering.partition.rules import cumulative as cumulative
from lowering.partition.rules import dot as dot
from lowering.partition.rules import dynamic as dynamic
from lowering.partition.rules import elementwise as elementwise
from lowering.partition.rules import extreme_index as extreme_index
from lowering.partition.rules import gather as gather
from lowering.partition.rules import moves as moves
from lowering.partition.rules import reduction as reduction
from lowering.partition.rules import replicate as replicate
from lowering.partition.rules import scatter as scatter
from lowering.partition.rules import shape as shape
from lowering.partition.rules import sorting as sorting
from lowering.partition.rules import windows as windows
