// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// The highest bid wins; whoever is outbid gets the bid back.
contract Auction {
    address payable public leader;
    uint256 public highest;
    uint256 public immutable end = block.timestamp + 1 days;

    function bid() external payable {
        require(block.timestamp < end, "over");
        require(msg.value > highest, "too low");
        if (leader != address(0)) {
            (bool paid, ) = leader.call{value: highest}("");
            require(paid, "refund failed");
        }
        leader = payable(msg.sender);
        highest = msg.value;
    }
}
